import { definePlugin } from '../../kernel/index.js'
import { ClockCheck } from './checks/clock.js'
import { LimitsCheck } from './checks/limits.js'
import { VersionsCheck } from './checks/versions.js'
import { DoctorCommand } from './command.js'

/** `peer doctor`, with the checks of the machine that no other plugin knows. */
export default definePlugin({
  name: 'doctor',
  description: 'peer doctor: finds what is wrong and says what to do',
  commands: [DoctorCommand, VersionsCheck, LimitsCheck, ClockCheck],
  apply() {},
})
