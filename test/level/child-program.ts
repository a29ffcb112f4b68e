import { openLevelStore } from '../../plugins/level/index.js'

/**
 * A process that uses a store, for tests that kill it. Arguments: directory, then
 * `hold` (opens and waits), or `write` (numbered batches for ever; prints the number of each that was acknowledged), or
 * `count <n>` (n commits one after another, then ends).
 */
const [directory = '', what = 'hold', count = '0'] = process.argv.slice(2)

const store = await openLevelStore(directory)
const log = store.namespace('log')

async function write(n: number): Promise<void> {
  const number = Buffer.alloc(4)
  number.writeUInt32BE(n)
  const batch = store.batch()
  for (const side of ['a', 'b']) batch.put(log, Buffer.concat([Buffer.from(side), number]), Buffer.alloc(300, n & 0xff))
  await store.commit(batch, 'block')
}

process.stdout.write('open\n')
if (what === 'count') {
  for (let n = 0; n < Number(count); n += 1) await write(n)
  await store.close()
} else if (what === 'write') {
  let next = 0
  const writer = async (): Promise<never> => {
    for (;;) {
      const n = next++
      await write(n)
      process.stdout.write(`${n}\n`)
    }
  }
  await Promise.all([writer(), writer(), writer()])
} else {
  setInterval(() => undefined, 1000)
}
