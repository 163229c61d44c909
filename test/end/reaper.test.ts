/** As process 1 of a container. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { closed, ended } from '../support/processes.js'

/** Orphans that end by themselves, and children of other code whose exits are its own. */
const container = (supervisor: string) => `
  import { execFile, spawn } from 'node:child_process'
  import { once } from 'node:events'
  import { readdirSync, readFileSync } from 'node:fs'
  import { Supervisor } from 'sigshield'
  ${supervisor}
  const zombies = () => readdirSync('/proc').filter((pid) => {
    try { return / Z 1 /.test(readFileSync('/proc/' + pid + '/stat', 'latin1')) } catch { return false }
  }).length
  // Each leaves three orphans, which end when their pipe does.
  const child = spawn('bash', ['-c', 'for i in 1 2 3; do (read -r line <&3 &) ; done; exit 7'], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] })
  console.log('exit', ...(await once(child, 'exit')))
  child.stdio[3].destroy()
  // They are zombies first, whoever reaps them.
  while (zombies() < 3) await new Promise(setImmediate)
  console.log('orphans have ended')
  const own = spawn('sh', ['-c', 'exit 9'])
  console.log('exit', ...(await once(own, 'exit')))
  execFile('sh', ['-c', 'exit 3'], ({ code }) => console.log('execFile', code))
  process.on('SIGUSR2', () => { console.log('zombies', zombies()); process.exit() })
  const looking = setInterval(() => { if (zombies() === 0) { console.log('zombies 0'); process.exit() } }, 20)`

function run(code: string) {
  const args = ['--pid', '--fork', '--mount-proc', process.execPath, '--input-type=module', '-e', code]
  const child = ended(spawn('unshare', args, { stdio: ['ignore', 'pipe', 'inherit'] }))
  return {
    child,
    end: closed(child),
    lines: createInterface({ input: child.stdout as NonNullable<typeof child.stdout> })[Symbol.asyncIterator](),
  }
}

const next = async ({ lines }: ReturnType<typeof run>) => (await lines.next()).value

describe.runIf(process.getuid?.() === 0)('process 1', () => {
  it('reaps what it has inherited, and leaves the exits of other code to it', async () => {
    const init = run(container('new Supervisor()'))
    expect([await next(init), await next(init)]).toEqual(['exit 7 null', 'orphans have ended'])
    expect([await next(init), await next(init)]).toEqual(['exit 9 null', 'execFile 3'])
    expect(await next(init)).toBe('zombies 0')
    expect(await init.end).toEqual({ code: 0, signal: null })
  })

  it('does not without a supervisor (the control)', async () => {
    const init = run(container('void Supervisor'))
    for (let i = 0; i < 4; i += 1) await next(init)
    // Longer than the reaper would wait.
    await new Promise((resolve) => setTimeout(resolve, 2500))
    const { childrenOf } = await import('../support/process-table.mjs')
    process.kill(childrenOf(init.child.pid as number)[0]?.pid as number, 'SIGUSR2')
    expect(await next(init)).toBe('zombies 3')
    await init.end
  })
})
