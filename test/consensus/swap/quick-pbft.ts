/** Options of pbft with small windows and short time-outs, so that much happens in a short run. */
export const QUICK_PBFT = {
  K: 4,
  logmultiplier: 4,
  'timeout.request': '1s',
  'timeout.viewchange': '1s',
  'timeout.resendviewchange': '1s',
  'timeout.batch': '20ms',
}
