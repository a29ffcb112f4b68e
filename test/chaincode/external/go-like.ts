import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'

export const IMPORT_PATH = 'example.com/owner/cc'

/**
 * A workspace whose "Go" chaincode is a script that speaks v0.6's shim protocol, and a "go" that builds it by copying: so that packaging, building,
 * the sandbox and the start are real where no Go is installed.
 */
export async function goLikeWorkspace(root: string, chaincode = 'examples/chaincode/example02.ts'): Promise<{ readonly goPath: string; readonly go: string }> {
  const goPath = join(root, 'workspace')
  const { outputFiles } = await build({
    stdin: {
      contents: `import chaincode from './${chaincode}'\nimport { start } from './plugins/chaincode/api/start.ts'\nstart(chaincode).catch((error) => { process.stderr.write('error ' + error.message + '\\n'); process.exit(1) })\n`,
      resolveDir: process.cwd(),
      loader: 'ts',
    },
    alias: { 'weft/chaincode': './plugins/chaincode/api/index.ts' },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    banner: { js: `#!${process.execPath}` },
    logLevel: 'silent',
  })
  write(join(goPath, 'src', IMPORT_PATH, 'main.go'), outputFiles[0]?.contents ?? new Uint8Array(0))
  write(join(goPath, 'src/github.com/hyperledger/fabric/shim/shim.go'), Buffer.from('package shim\n'))
  write(join(goPath, 'src/github.com/hyperledger/fabric/peer/core.yaml'), Buffer.from('peer:\n'))
  const go = join(root, 'bin', 'go')
  write(go, Buffer.from(GO))
  chmodSync(go, 0o755)
  return { goPath, go }
}

function write(file: string, bytes: Uint8Array): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, bytes)
}

/** `go env GOROOT` and `go build -o OUT -- PATH`; what it finds of the machine goes into the error for a package named `probe`. */
const GO = `#!/bin/sh
if [ "$1" = env ]; then echo /usr; exit 0; fi
out=$3; path=$5
case "$path" in
  */probe) echo "home: $(ls /home /root /etc 2>&1)"; echo "network: $(cat /proc/net/dev 2>&1)"; exit 1 ;;
esac
main=
IFS=:
for folder in $GOPATH; do [ -e "$folder/src/$path/main.go" ] && main="$folder/src/$path/main.go" && break; done
[ -n "$main" ] || { echo "cannot find package \\"$path\\" in any of $GOPATH"; exit 1; }
cp "$main" "$out" && chmod 755 "$out"
`
