const MIB = 1024 * 1024

/** Node.js 20 knows the flag as experimental only, Node.js 24 without that word only. */
const PERMISSION_FLAG = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission'

/** Flags of a contained Node.js that reads its program, one module, from standard input: a second wall inside the sandbox, and frugality. */
export function nodeFlags(memoryBytes: number): string[] {
  return [
    PERMISSION_FLAG,
    '--experimental-vm-modules',
    '--disallow-code-generation-from-strings',
    '--no-warnings',
    '--v8-pool-size=1',
    `--max-old-space-size=${Math.floor(memoryBytes / MIB / 2)}`,
    '--input-type=module',
    '-',
  ]
}
