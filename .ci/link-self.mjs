// Makes node_modules/weft a link to this checkout, so that the packages in examples/engines find `weft` as they would where it is installed: types and code
// of dist/, through the public entry points alone.
import { existsSync, mkdirSync, symlinkSync } from 'node:fs'

if (!existsSync('node_modules/weft')) {
  mkdirSync('node_modules', { recursive: true })
  symlinkSync('..', 'node_modules/weft', 'dir')
}
