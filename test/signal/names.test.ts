/** What names a signal. */
import { describe, it } from 'vitest'
import { expectRefused } from '../support/refusal.js'

const type = 'ERR_INVALID_ARG_TYPE'
const unknown = 'ERR_UNKNOWN_SIGNAL'

describe('what names no signal is thrown before anything starts', () => {
  it.each([
    [{ ignore: ['SIGFOO'] }, unknown, "Unknown signal: 'SIGFOO'"],
    [{ ignore: ['sigint'] }, unknown, "Unknown signal: 'sigint': did you mean 'SIGINT'?"],
    [{ block: ['INT'] }, unknown, "Unknown signal: 'INT': did you mean 'SIGINT'?"],
    [{ ignore: [0] }, unknown, 'Unknown signal: 0'],
    [{ ignore: [65] }, unknown, 'Unknown signal: 65'],
    [{ ignore: [32] }, unknown, 'Unknown signal: 32'],
    [{ ignore: [2.5] }, unknown, 'Unknown signal: 2.5'],
    [{ ignore: ['toString'] }, unknown, "Unknown signal: 'toString'"],
    [{ ignore: [null] }, type, 'The "signal" argument must be a signal name such as \'SIGINT\'. Received null'],
    [
      { ignore: 'SIGINT' },
      type,
      `The "options.ignore" property must be an array of signals such as ['SIGINT']. Received 'SIGINT'`,
    ],
  ])('%j', expectRefused)
})
