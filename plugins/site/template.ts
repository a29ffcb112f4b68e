import type { PluginManifest } from '../../kernel/index.js'

/** The `plugins` member of a configuration file, with two spaces of indentation; `plugins`: those of Weft's own that it lists. */
export function pluginList(plugins: readonly Pick<PluginManifest, 'name'>[]): string {
  return ['  plugins: [', ...plugins.map(({ name }) => `    'weft/plugins/${name}',`), '  ],'].join('\n')
}

/** The file that `peer init` writes. */
export function siteTemplate(plugins: readonly Pick<PluginManifest, 'name'>[]): string {
  return `import { defineConfig } from 'weft'

/**
 * One site of a Weft network. \`peer config show --origin\` prints every key with its value and where it comes from,
 * \`peer config check\` finds all mistakes at once. Stronger than this file: CORE_* environment variables
 * (CORE_PEER_ID is peer.id) and --set key=value.
 */
export default defineConfig({
  // What this peer can do. Module names, paths relative to this file, or imported plugin values; the order does not matter.
${pluginList(plugins)}

  peer: {
    // Unique in the network. Consensus engines expect vp0, vp1, ... of validators.
    id: 'vp0',
    networkId: 'dev',

    // Loopback on purpose: nothing authenticates the callers of Admin and Devops, so whoever reaches this address
    // can stop the peer and deploy chaincode. Open it (0.0.0.0:7051) only to a network that you trust.
    listenAddress: '127.0.0.1:7051',
    // Where others, and this command line, reach the peer.
    address: '127.0.0.1:7051',
    // Where applications register for blocks, chaincode events and rejections; nothing authenticates them either.
    validator: { events: { address: '127.0.0.1:7053' } },

    // Everything that the peer stores; relative to the working directory.
    fileSystemPath: './weft-data',

    // tls: { enabled: true, cert: { file: 'server.pem' }, key: { file: 'server.key' } },
  },

  chaincode: {
    // Runs inside the peer, so that a first tour needs nothing deployed: an account holds 1,000,000 until it is first written.
    system: { example02: 'enable' },
  },

  logging: {
    // critical, error, warning, notice, info or debug; per module: 'warning:ledger=debug'.
    node: 'info',
    // format: 'json',
  },
})
`
}
