import { fileURLToPath, URL } from 'node:url'
import vue from '@vitejs/plugin-vue'
import ElementPlus from 'unplugin-element-plus/vite'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

// The service answers /api; in development it runs beside this on the port of CANBAO_API.
const service = process.env.CANBAO_API ?? 'http://127.0.0.1:8080'

// vxe-table's icon font stands in its style sheet as a data: address, which our content security policy refuses;
// the same font lies beside the sheet as a file.
const fontAsFile: Plugin = {
  name: 'font-as-file',
  enforce: 'pre',
  transform(code, id) {
    if (!id.includes('/vxe-table/') || !/\.css(\?|$)/.test(id)) return null
    const file = /url\(["']?(\.\/iconfont\.\d+\.woff)["']?\)/.exec(code)?.[1]
    if (!file) return null
    return { code: code.replace(/url\(["']?data:application\/x-font-woff2[^)]*\)/, `url("${file}2")`), map: null }
  },
}

export default defineConfig({
  plugins: [fontAsFile, vue(), ElementPlus({})],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  // A content security policy without `unsafe-eval` holds: messages are interpreted, never compiled to code.
  define: {
    __VUE_OPTIONS_API__: true,
    __VUE_PROD_DEVTOOLS__: false,
    __VUE_I18N_FULL_INSTALL__: false,
    __VUE_I18N_LEGACY_API__: false,
    __INTLIFY_PROD_DEVTOOLS__: false,
    __INTLIFY_JIT_COMPILATION__: true,
  },
  build: {
    target: 'es2022',
    sourcemap: false,
    manifest: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
  },
  // data/mappings of the repository is read by the mapping editor.
  server: { fs: { allow: ['../..'] }, proxy: { '/api': { target: service, changeOrigin: false } } },
  // One worker for all files: these are small, and starting a browser's world for each cost minutes.
  test: { environment: 'jsdom', isolate: false, maxWorkers: 1, testTimeout: 120_000, include: ['src/**/*.test.ts'], server: { deps: { inline: ['element-plus'] } } },
})
