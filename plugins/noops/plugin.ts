import type { Settings } from '../../kernel/index.js'
import { enginePlugin } from '../consensus/index.js'
import { noops } from './engine.js'
import { noopsKeys } from './options.js'

/** Registers the engine `noops`. */
export const noopsPlugin = enginePlugin(noops, {
  name: 'noops',
  description: 'the development engine: orders without agreement, for one validator',
  config: noopsKeys,
  optionsOf,
})

/** The site's keys as options. */
function optionsOf(settings: Settings<typeof noopsKeys>): unknown {
  return {
    'block.size': settings['noops.block.size'],
    'block.wait': `${settings['noops.block.wait']}ms`,
    batching: settings['noops.batching'],
  }
}
