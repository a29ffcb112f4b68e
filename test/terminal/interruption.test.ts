import { expect, it } from 'vitest'
import { Interruption, interruptible } from '../../plugins/terminal/index.js'

/** Lets go of a signal as the system would; this process hears it because somebody listens. */
const signal = (name: NodeJS.Signals): boolean => process.emit(name, name)

it('work that nothing interrupts comes to what it comes to, and its failure is its own', async () => {
  const interruption = new Interruption()
  await expect(interruptible(interruption, () => interruption.during(Promise.resolve(7), 'it goes on'))).resolves.toBe(7)
  await expect(interruptible(interruption, () => interruption.during(Promise.reject(new Error('broken')), 'it goes on'))).rejects.toThrow('broken')
})

it('a signal ends the waiting with the words for it, the same for work that is begun after it', async () => {
  const interruption = new Interruption().listen()
  const endless = new Promise<never>(() => undefined)
  const waiting = interruption.during(endless, 'the swap goes on', 'ask for its status')
  signal('SIGTERM')
  const words = { code: 'ERR_INTERRUPTED', message: 'interrupted: the swap goes on', hint: 'ask for its status' }
  await expect(waiting).rejects.toMatchObject(words)
  await expect(interruption.during(endless, 'the swap goes on', 'ask for its status')).rejects.toMatchObject(words)
  expect(interruption.exitCode).toBe(143)
})

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('what %s made fail has the exit code %i; what came to its end all the same has 0', async (name, code) => {
  const failing = interruptible(new Interruption(), async () => Number(signal(name)))
  await expect(failing).resolves.toBe(code)
  await expect(interruptible(new Interruption(), async () => Number(!signal(name)))).resolves.toBe(0)
  expect(process.listenerCount(name), 'no listener is left').toBe(0)
})

it('a command that goes on until it is interrupted ends well with Ctrl-C alone', () => {
  const codes = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((name) => {
    const interruption = new Interruption().listen()
    signal(name)
    return interruption.exitCodeOfEndless
  })
  expect(codes).toEqual([0, 143, 129])
})
