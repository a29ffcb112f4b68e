import { definePlugin } from '../../kernel/index.js'
import { loader } from './loader.js'

/** Finds and reads sites, and the plugins that they name. See README.md. */
export default definePlugin({
  name: 'loader',
  description: 'finds and reads sites and plugins: TypeScript, JavaScript, JSON, YAML',
  loader,
  apply() {
    // What it brings is used before any hook runs.
  },
})
