import { definePlugin } from '../../kernel/index.js'
import { TlsInitCommand } from './commands/init.js'
import { TlsShowCommand } from './commands/show.js'
import { TlsCheck } from './doctor.js'
import { tlsKeys } from './keys.js'

/** Certificates for development, and what there is in the files of a site. The listeners themselves read `peer.tls.*`. */
export default definePlugin({
  name: 'tls',
  description: 'certificates: peer tls init and show, and what is wrong with them',
  config: tlsKeys,
  commands: [TlsInitCommand, TlsShowCommand, TlsCheck],
  apply() {},
})
