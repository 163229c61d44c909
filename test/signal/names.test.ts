/** What names a signal. */
import { describe, it } from 'vitest'
import { expectRefused } from '../support/refusal.js'

const type = 'ERR_INVALID_ARG_TYPE'
const unknown = 'ERR_UNKNOWN_SIGNAL'

describe('what names no signal is thrown before anything starts', () => {
  it.each([
    [{ ignore: ['SIGFOO'] }, unknown, "Unknown signal: 'SIGFOO' in options.ignore[0]"],
    [{ ignore: ['SIGINT', 'SIGFOO'] }, unknown, "Unknown signal: 'SIGFOO' in options.ignore[1]"],
    [{ ignore: ['sigint'] }, unknown, "Unknown signal: 'sigint' in options.ignore[0]: did you mean 'SIGINT'?"],
    [{ block: ['INT'] }, unknown, "Unknown signal: 'INT' in options.block[0]: did you mean 'SIGINT'?"],
    [{ ignore: [0] }, unknown, 'Unknown signal: 0 in options.ignore[0]'],
    [{ ignore: [65] }, unknown, 'Unknown signal: 65 in options.ignore[0]'],
    [{ ignore: [32] }, unknown, 'Unknown signal: 32 in options.ignore[0]'],
    [{ ignore: [2.5] }, unknown, 'Unknown signal: 2.5 in options.ignore[0]'],
    [{ ignore: ['toString'] }, unknown, "Unknown signal: 'toString' in options.ignore[0]"],
    [
      { ignore: [null] },
      type,
      'The "options.ignore[0]" property must be a signal name such as \'SIGINT\'. Received null',
    ],
    [
      { ignore: 'SIGINT' },
      type,
      `The "options.ignore" property must be an array of signals such as ['SIGINT']. Received 'SIGINT'`,
    ],
  ])('%j', expectRefused)
})
