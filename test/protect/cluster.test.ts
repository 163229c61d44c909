/** The recipe for a cluster, under load: no request is lost, and without it some are. */

import type { EventEmitter } from 'node:events'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import autocannon from 'autocannon'
import { describe, expect, it, onTestFinished } from 'vitest'
import { processOf } from '../support/process-table.mjs'
import { until } from '../support/processes.js'
import { Shell } from '../support/protect/shell.js'
import { CTRL_C } from '../support/terminal.js'

const recipe = join(import.meta.dirname, '../../examples/cluster.mjs')
const plain = join(import.meta.dirname, '../support/protect/plain-cluster.mjs')
const CONNECTIONS = 9

async function freePort(): Promise<number> {
  const server = createServer().listen(0)
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await (await fetch(url)).text()) === 'done\n'
  } catch {
    return false
  }
}

/** A cluster in a terminal, that answers after `workMs`. */
async function start(program: string, workMs: number) {
  const port = await freePort()
  const shell = await Shell.open()
  shell.type(`PORT=${port} WORK_MS=${workMs} node ${program}`)
  const url = `http://127.0.0.1:${port}/`
  while (!(await answers(url)));
  const isNode = (pid: number) => processOf(pid)?.name.startsWith('node') || processOf(pid)?.name === 'MainThread'
  const nodes = () => shell.living().filter(isNode)
  const primary = nodes().find((pid) => processOf(pid)?.parent === shell.leader) as number
  const workers = () => nodes().filter((pid) => pid !== primary)
  await until(() => workers().length === 2, 'both workers run')
  return { shell, url, primary, workers }
}

/** Requests on connections that stay, until it is stopped. A refused connection is no request that was lost. */
function load(url: string) {
  const lost: string[] = []
  let answered = 0
  // Its types leave out that this is an emitter.
  const run = autocannon({ url, connections: CONNECTIONS, duration: 600 }) as unknown as EventEmitter & { stop(): void }
  run.on('response', (_client: unknown, status: number) => {
    answered += 1
    if (status !== 200) lost.push(String(status))
  })
  run.on('reqError', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ECONNREFUSED') lost.push(error.code ?? error.message)
  })
  const end = once(run, 'done')
  const stop = async () => {
    run.stop()
    await end
  }
  onTestFinished(stop)
  return {
    lost,
    stop,
    answered: () => answered,
    async more(count: number) {
      const enough = answered + count
      await until(() => answered >= enough, `${count} more answers`)
    },
  }
}

describe('a rolling restart', () => {
  /** Every connection has a request under way nearly all the time. */
  async function restart(program: string) {
    const { url, primary, workers, shell } = await start(program, 200)
    const before = workers()
    const traffic = load(url)
    await traffic.more(CONNECTIONS)
    process.kill(primary, 'SIGUSR2')
    await until(() => workers().length === 2 && !workers().some((pid) => before.includes(pid)), 'both are others')
    await traffic.more(CONNECTIONS)
    await traffic.stop()
    return { lost: traffic.lost, shell }
  }

  it('loses no request', async () => {
    const { lost, shell } = await restart(recipe)
    expect(lost).toEqual([])
    shell.press(CTRL_C)
    expect(await shell.ended()).toBe(130)
    expect(shell.living()).toEqual([])
  })

  it('which kills the workers loses some (the control)', async () => {
    expect((await restart(plain)).lost).not.toEqual([])
  })
})

describe('Ctrl-C', () => {
  /** The requests that are under way at the key. */
  async function press(program: string) {
    const { shell, url } = await start(program, 1000)
    const requests = Array.from({ length: CONNECTIONS }, () => answers(url))
    // They are with the workers when the next is answered by none.
    await new Promise((resolve) => setTimeout(resolve, 300))
    shell.press(CTRL_C)
    const finished = (await Promise.all(requests)).filter(Boolean).length
    return { finished, status: await shell.ended(), shell }
  }

  it('has all requests finished, and all workers joined', async () => {
    const { finished, status, shell } = await press(recipe)
    expect([finished, status, shell.living()]).toEqual([CONNECTIONS, 130, []])
  })

  it('under load loses no request either', async () => {
    const { shell, url } = await start(recipe, 20)
    const traffic = load(url)
    await traffic.more(CONNECTIONS * 3)
    shell.press(CTRL_C)
    expect(await shell.ended()).toBe(130)
    await traffic.stop()
    expect(traffic.lost).toEqual([])
  })

  it('kills the workers in the middle of them without it (the control)', async () => {
    expect((await press(plain)).finished).toBe(0)
  })
})
