/** One direction of imports (ARCHITECTURE.md): plugins -> kernel, plugins -> proto; between plugins only through index.ts. */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'kernel-knows-nobody', severity: 'error', from: { path: '^kernel/' }, to: { path: '^(plugins|proto|test|bench|examples)/' } },
    { name: 'proto-knows-nobody', severity: 'error', from: { path: '^proto/' }, to: { path: '^(kernel|plugins|test|bench|examples)/' } },
    {
      name: 'kernel-through-its-face',
      severity: 'error',
      comment: 'plugins import the kernel through kernel/index.ts alone',
      from: { path: '^plugins/' },
      to: { path: '^kernel/', pathNot: '^kernel/index\\.ts$' },
    },
    {
      name: 'plugins-through-their-face',
      severity: 'error',
      comment: "a plugin takes another's service through a token from its index.ts",
      from: { path: '^plugins/([^/]+)/' },
      to: {
        path: '^plugins/([^/]+)/',
        pathNot: [
          '^plugins/$1/',
          '^plugins/[^/]+/index\\.ts$',
          '^plugins/(chaincode|consensus)/api/index\\.ts$',
          '^plugins/(sandbox/(deterministic|frames)|grpc/message-frames)\\.ts$',
          '^plugins/loader/(source-maps|thrown)\\.ts$',
          '^plugins/terminal/printable\\.ts$',
        ],
      },
    },
    {
      name: 'proto-through-its-face',
      severity: 'error',
      from: { path: '^plugins/' },
      to: { path: '^proto/', pathNot: '^proto/(hashes|index|messages)\\.ts$' },
    },
    {
      name: 'engines-see-consensus-only',
      severity: 'error',
      from: { path: '^plugins/(noops|pbft)/' },
      to: { path: '^plugins/', pathNot: ['^plugins/$1/', '^plugins/consensus/index\\.ts$'] },
    },
    {
      name: 'no-tests-in-product',
      severity: 'error',
      comment: 'the public test kit is what the commands peer sim and peer engine check are for: they alone load it, lazily',
      from: { path: '^(kernel|plugins|proto)/', pathNot: '^plugins/(sim|engine-authoring)/' },
      to: { path: '^(test|bench|examples)/' },
    },
    {
      name: 'commands-see-the-kits-face',
      severity: 'error',
      from: { path: '^plugins/(sim|engine-authoring)/' },
      to: { path: '^(test|bench|examples)/', pathNot: '^test/kit/index\\.ts$' },
    },
    {
      name: 'outside-engines-through-the-public-doors',
      severity: 'error',
      comment: 'an engine of examples/engines has what any package has: weft, weft/consensus, weft/testkit',
      from: { path: '^examples/engines/([^/]+)/' },
      to: {
        path: '^(kernel|plugins|proto|test|bench|examples|dist)/',
        pathNot: ['^examples/engines/$1/', '^(kernel|plugins/consensus/api|test/kit)/index\\.ts$'],
      },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|node_modules)/' },
  },
}
