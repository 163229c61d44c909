import { once } from 'node:events'
import { forkProtected, spawnProtected } from 'sigshield'
import { describe, expect, it } from 'vitest'
import { ended } from '../support/processes.js'

const refused = expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' })

describe('a time-out, or an AbortSignal, whose signal the child does not hear is refused', () => {
  const { signal } = new AbortController()

  it.each([
    [{ timeout: 1000, ignore: ['SIGTERM'] }],
    [{ timeout: 1000, killSignal: 'SIGINT' }],
    [{ timeout: 1000, killSignal: 2 }],
    [{ timeout: 1000, killSignal: 'SIGUSR1', block: ['SIGUSR1'] }],
    [{ signal, ignore: ['SIGTERM'] }],
    [{ signal, killSignal: 'sigint' }],
  ] as const)('%j', (options) => {
    expect(() => spawnProtected('sleep', ['1000'], options as never)).toThrow(refused)
    expect(() => forkProtected('no-such-file.mjs', options as never)).toThrow(refused)
  })

  it('one that it hears ends it (the control)', async () => {
    const options = { timeout: 20, ignore: ['SIGTERM'], killSignal: 'SIGKILL', stdio: 'ignore' } as const
    const child = ended(spawnProtected('sleep', ['1000'], options))
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
  })

  it('without a time-out it is nobody’s affair', async () => {
    const child = ended(spawnProtected('true', { killSignal: 'SIGINT', stdio: 'ignore' }))
    expect(await once(child, 'exit')).toEqual([0, null])
  })
})

describe('in the foreground', () => {
  it.each([
    { foreground: true, ignore: ['SIGINT'] },
    { foreground: true, block: ['SIGINT'] },
    { foreground: true, ignore: ['SIGTERM', 'SIGINT'] },
  ] as const)('Ctrl-C must not be a dead key: %j', (options) => {
    expect(() => spawnProtected('true', options as never)).toThrow(refused)
  })
})
