export { Raw } from './raw.js'
