import { dirname } from 'node:path'

/** The packages and built-ins that a file imports, itself or through its own files; sorted. */
export async function importsOf(file: string): Promise<string[]> {
  const { build } = await import('esbuild')
  const { metafile } = await build({
    entryPoints: [file],
    absWorkingDir: dirname(file),
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'silent',
    tsconfigRaw: {},
  })
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports.filter(({ external }) => external === true).map(({ path }) => path))
  return [...new Set(imports)].sort()
}
