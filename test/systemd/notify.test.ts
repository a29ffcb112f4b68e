import { expect, test } from 'vitest'
import { notifySystemd, watchdogPeriodMs } from '../../plugins/systemd/notify.js'

test('the watchdog hears twice within its time, and only of the process that it watches', () => {
  expect(watchdogPeriodMs({ WATCHDOG_USEC: '60000000' }, 7)).toBe(30_000)
  expect(watchdogPeriodMs({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '7' }, 7)).toBe(30_000)
  expect(watchdogPeriodMs({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '8' }, 7)).toBeUndefined()
  expect(watchdogPeriodMs({}, 7)).toBeUndefined()
  expect(watchdogPeriodMs({ WATCHDOG_USEC: 'soon' }, 7)).toBeUndefined()
  expect(watchdogPeriodMs({ WATCHDOG_USEC: '0' }, 7)).toBeUndefined()
})

test('a missing systemd-notify is named, with what to do', async () => {
  await expect(notifySystemd(['READY=1'], { NOTIFY_SOCKET: '/run/none', PATH: '/nowhere' })).rejects.toMatchObject({
    code: 'ERR_SYSTEMD_NOTIFY',
    message: 'systemd was not told READY=1: the program systemd-notify is not installed',
  })
})
