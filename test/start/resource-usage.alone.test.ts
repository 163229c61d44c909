import { type ProtectedProcess, spawnProtected } from 'sigshield'
import { describe, expect, it } from 'vitest'
import { closed } from '../support/processes.js'

async function usage(command: string, args: string[]): Promise<NonNullable<ProtectedProcess['resourceUsage']>> {
  const child = spawnProtected(command, args, { stdio: 'ignore' })
  expect(child.resourceUsage).toBeUndefined()
  await closed(child)
  return child.resourceUsage as NonNullable<ProtectedProcess['resourceUsage']>
}

/** What Python says of itself: it has no parent's memory to count. */
const python = (code: string) => ['-c', `import resource, time\n${code}`]

describe('resourceUsage', () => {
  it('tells the CPU time in microseconds', async () => {
    const busy = await usage('python3', python('while time.process_time() < 0.3: pass'))
    expect(busy.userCPUTime + busy.systemCPUTime).toBeGreaterThanOrEqual(300_000)
    expect(busy.userCPUTime + busy.systemCPUTime).toBeLessThan(3_000_000)
    const idle = await usage('sleep', ['0.3'])
    expect(idle.userCPUTime + idle.systemCPUTime).toBeLessThan(100_000)
  })

  it("tells the memory of a child that held more than its parent's peak, in bytes", async () => {
    const parent = process.resourceUsage().maxRSS * 1024
    const held = Math.ceil((parent * 1.5) / 2 ** 20) * 2 ** 20
    const { maxRSS } = await usage('python3', python(`held = b'x' * ${held}`))
    expect(maxRSS).toBeGreaterThan(held)
    expect(maxRSS).toBeLessThan(held + 64 * 2 ** 20)
  })

  it("never tells its parent's own: a child that held less is not known", async () => {
    // Written to, so that it is in memory; the parent's peak stays when it is given up.
    let ballast: Buffer | undefined = Buffer.alloc(256 * 2 ** 20, 1)
    expect(ballast.at(-1)).toBe(1)
    expect((await usage('true', [])).maxRSS).toBeUndefined()
    ballast = undefined
    globalThis.gc?.()
    expect((await usage('true', [])).maxRSS).toBeUndefined()
  })
})
