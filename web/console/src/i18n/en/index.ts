import common from './common'
import layout from './layout'
import session from './session'
import home from './home'
import forms from './forms'
import administration from './administration'
import deliveries from './deliveries'
import comparison from './comparison'
import persons from './persons'
import lists from './lists'
import cases from './cases'

export default { common, layout, session, home, forms, administration, deliveries, comparison, persons, lists, cases }
