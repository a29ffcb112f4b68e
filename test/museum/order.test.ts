import { describeMutants } from './describe-mutants.js'
import { ORDER_MUTANTS } from './mutants-order.js'

describeMutants('order', ORDER_MUTANTS)
