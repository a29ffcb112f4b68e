/** `peer sim`: engines in the test kit's simulator. See README.md. */
export { default } from './plugin.js'
