// What a feature contributes: its routes (lazy) and its places in the side navigation.
import type { Component } from 'vue'
import type { RouteRecordRaw } from 'vue-router'
import type { MessageKey } from '@/i18n'

export interface NavigationItem {
  to: string
  label: MessageKey
  icon: Component
  group: 'work' | 'data' | 'administration'
  /** Ascending within the group; work: home 10, persons 20, lists 30, cases 40, forms 50; data: 10, 20. */
  order: number
  permission?: string
  /** Pressed after `g`. */
  key?: string
}

export interface Feature {
  routes: RouteRecordRaw[]
  navigation?: NavigationItem[]
}
