/** `sigshield ps`, in a table of processes that other tests change too. */
import { type SpawnOptions, spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { ExitEvent, spawnProtected } from 'sigshield'
import { describe, expect, it, onTestFinished } from 'vitest'
import { cut, table, visible, width } from '../../lib/command/table.js'
import { native } from '../../lib/native/load.js'
import { all, call, sigshield, started } from '../support/command.js'
import { processOf } from '../support/process-table.mjs'
import { ended, isAlive, line, SETSID, temporaryFolder, until } from '../support/processes.js'
import { toldIgnored } from '../support/signal-state.js'
import { Terminal } from '../support/terminal.js'

/** Of other processes. */
const tellsMasks = native().processTable === undefined

interface Told {
  readonly pid: number
  readonly orphaned: boolean
  readonly [name: string]: unknown
}

async function told(args: string[] = []): Promise<{ processes: Told[]; unreadable: number }> {
  const { out, err, code } = await call(['ps', '--json', ...args])
  expect({ err, code }).toEqual({ err: '', code: 0 })
  return JSON.parse(out)
}

const of = async (pid: number, args: string[] = []) => (await told(args)).processes.find((found) => found.pid === pid)

/** A shell that ignores and catches, and stays until its input ends. */
async function shell(traps: string, options: SpawnOptions = {}, stays = 'read -r line') {
  const script = `${traps}; echo up; ${stays}`
  const child = ended(spawn('sh', ['-c', script], { ...options, stdio: ['pipe', 'pipe', 'inherit'] }))
  expect(await line(child.stdout)).toBe('up')
  return child
}

describe('what a process does with its signals', () => {
  it('is told as it is', async () => {
    // A bash ignores SIGQUIT anyway.
    const child = await shell(`trap '' INT QUIT USR1; trap : TERM`)
    expect(await of(child.pid as number)).toMatchObject({
      pid: child.pid,
      parent: process.pid,
      orphaned: false,
      ignored: toldIgnored('SIGINT', 'SIGQUIT', 'SIGUSR1'),
      blocked: tellsMasks ? [] : null,
      caught: expect.arrayContaining(['SIGTERM']),
      enforced: false,
      noNewPrivs: false,
      name: 'sh',
      command: ['sh', '-c', expect.stringContaining('trap')],
      uid: process.getuid?.(),
      ageSeconds: expect.any(Number),
      startedAt: expect.any(Number),
    })
  })

  it('one that does nothing of the kind is not shown (the control)', async () => {
    const child = await shell(`trap '' USR1`, {}, 'exec cat')
    expect(await of(child.pid as number)).toBeUndefined()
  })

  it('a blocked one, and enforcement', async () => {
    const child = ended(
      spawnProtected('sleep', ['1000'], { ignore: ['SIGHUP'], block: ['SIGTERM', 40], enforce: true, stdio: 'ignore' }),
    )
    expect(await of(child.pid as number)).toMatchObject({
      ignored: ['SIGHUP'],
      blocked: ['SIGTERM', 40],
      enforced: 'maybe',
    })
  })
})

describe('an orphan', () => {
  const orphan = async (how: string) => {
    const parent = ended(spawn('sh', ['-c', how], { stdio: ['ignore', 'pipe', 'inherit'], detached: true }))
    const pid = Number(await line(parent.stdout))
    onTestFinished(() => {
      if (isAlive(pid)) process.kill(pid, 'SIGKILL')
    })
    await until(() => parent.exitCode !== null, 'the parent has gone')
    return pid
  }

  it('is one whose parent is gone', async () => {
    const pid = await orphan(`trap '' INT; sleep 1000 >/dev/null & echo $!`)
    expect(await of(pid)).toMatchObject({ orphaned: true, ignored: expect.arrayContaining(['SIGINT']) })
  })

  it('a process that leads a session is none: it may be a service', async () => {
    const pid = await orphan(`trap '' INT; ${SETSID} sh -c 'echo $$; exec sleep 1000 >/dev/null' &`)
    expect(await of(pid)).toMatchObject({ orphaned: false })
  })

  it('but one whose exit event tells so is one', async () => {
    const code = `
      const { ExitEvent, spawnProtected } = await import('sigshield')
      const options = { exitEvent: new ExitEvent(), detached: true, stdio: 'ignore' }
      console.log(spawnProtected('sleep', ['1000'], options).pid)
      process.exit()`
    const parent = ended(
      spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] }),
    )
    const pid = Number(await line(parent.stdout))
    onTestFinished(() => {
      if (isAlive(pid)) process.kill(pid, 'SIGKILL')
    })
    await until(() => parent.exitCode !== null, 'the parent has gone')
    expect(await of(pid)).toMatchObject({ orphaned: true })
  })

  it('a child of ours is none (the control)', async () => {
    const child = ended(
      spawnProtected('sleep', ['1000'], { exitEvent: new ExitEvent(), detached: true, stdio: 'ignore' }),
    )
    expect(await of(child.pid as number)).toMatchObject({ orphaned: false })
  })
})

describe.runIf(process.getuid?.() === 0)("other users' processes", () => {
  it('are shown with --all', async () => {
    const child = await shell(`trap '' INT`, { uid: 65534 })
    const pid = child.pid as number
    expect(await of(pid)).toBeUndefined()
    expect(await of(pid, ['--all'])).toMatchObject({ uid: 65534 })
    expect(await of(pid, ['-a'])).toMatchObject({ uid: 65534 })
  })

  it('are seen where the system shows no more than processes (ProcSubset= of systemd.exec(5))', async () => {
    const script = `trap '' INT; mount -t proc -o subset=pid proc /proc && "$@"`
    const options = ['--mount', '--pid', '--fork', '--kill-child']
    const { out, err } = await all(
      started('unshare', [...options, 'sh', '-c', script, 'sh', process.execPath, sigshield, 'ps']),
    )
    expect(err).toBe('')
    expect(out).toMatch(/^ *1 .* INT .* sh -c trap/m)
  })

  it('that may not be read are counted', async () => {
    const folder = join(temporaryFolder(), 'proc')
    mkdirSync(folder)
    const script = `
      mount -t proc -o hidepid=1 proc /proc &&
      sh -c 'trap "" INT; sleep 1000' & sleep 0.5
      setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; echo; setpriv --reuid=65534 --regid=65534 --clear-groups "$@" --all`
    const args = ['--mount', '--pid', '--fork', 'sh', '-c', script, 'sh', process.execPath, sigshield, 'ps']
    const { out, err } = await all(started('unshare', args))
    expect(err).toBe('')
    const [own, everybody] = out.split('\n\n')
    expect(own).not.toContain('could not be read')
    expect(everybody).toMatch(/\d processes could not be read\./)
  })
})

describe('the table', () => {
  it('is aligned, and names signals as --ignore takes them', async () => {
    const child = await shell(`trap '' INT HUP USR1; trap : TERM`)
    const { out } = await call(['ps'])
    const [titles, ...rows] = out.trimEnd().split('\n') as [string, ...string[]]
    expect(titles.trim().split(/\s+/)).toEqual([
      'PID',
      'PARENT',
      'ORPHANED',
      'AGE',
      'IGNORED',
      'BLOCKED',
      'CAUGHT',
      'ENFORCED',
      'COMMAND',
    ])
    const row = rows.find((text) => text.trim().startsWith(`${child.pid} `)) as string
    expect(row).toMatch(/ no +\d+s +INT,HUP(,QUIT)? \+\d +[-?] +TERM( \+\d+)? +no +sh -c trap/)
    for (const title of ['IGNORED', 'BLOCKED', 'COMMAND']) expect(row[titles.indexOf(title) - 1]).toBe(' ')
    expect(row[titles.indexOf('COMMAND')]).toBe('s')
    expect(out).not.toContain('\x1b')
  })

  it('a name can’t play tricks', async () => {
    const name = '\x1b[2J\r\nrm -rf\t\u202e\x9b'
    const child = ended(
      spawn('bash', ['-c', `trap '' INT; exec -a "$1" sleep 1000`, 'bash', name], { stdio: 'ignore' }),
    )
    await until(() => processOf(child.pid as number)?.name === 'sleep', 'it is sleep')
    const { out } = await call(['ps'])
    const row = out.split('\n').find((text) => text.trim().startsWith(`${child.pid} `))
    expect(row).toMatch(/ \\x1b\[2J\\x0d\\nrm -rf\\t\\u\{202e\}\\x9b 1000$/)
    expect((await of(child.pid as number))?.command).toEqual([name, '1000'])
  })

  const shownIn = async (command: string, columns = 160) => {
    const child = await shell(`trap '' INT; : ${'x'.repeat(300)}`)
    const terminal = new Terminal('bash', ['-c', `stty cols ${columns}; ${command}; echo; echo over`])
    await terminal.shows('over')
    const row = terminal.screen
      .split('\r\n')
      .find((text) => text.includes(` ${child.pid} `) || text.trim().startsWith(`${child.pid} `))
    return { row: row as string, screen: terminal.screen }
  }

  it('fits the terminal, and has colours there', async () => {
    const { row, screen } = await shownIn(`NO_COLOR= TERM=xterm ${sigshield} ps`)
    expect(screen).toContain('\x1b[1m')
    expect(width(row)).toBe(160)
    expect(row.endsWith('…')).toBe(true)
  })

  it('in a narrow one the command has a line of its own', async () => {
    const { screen } = await shownIn(`NO_COLOR=1 ${sigshield} ps`, 60)
    const lines = screen.split('\r\n').slice(0, -2)
    expect(lines[1]).toBe('    COMMAND')
    expect(Math.max(...lines.map(width))).toBe(60)
    expect(lines).toContainEqual(expect.stringMatching(/^ {4}sh -c trap '' INT; : x+…$/))
  })

  it.each(['NO_COLOR=1', 'TERM=dumb'])('no colours with %s', async (setting) => {
    const { row, screen } = await shownIn(`${setting} ${sigshield} ps`)
    expect(screen).not.toContain('\x1b[')
    expect(row.endsWith('…')).toBe(true)
  })

  it('in a pipe nothing is cut', async () => {
    const { row } = await shownIn(`${sigshield} ps | cat`)
    expect(row).toContain('x'.repeat(300))
  })
})

describe('the width of text', () => {
  it.each([
    ['plain', 5],
    ['日本語', 6],
    ['e\u0301', 1],
    ['🙂', 2],
    ['한글', 4],
    ['ｆｕｌｌ', 8],
    ['ä', 1],
    ['', 0],
  ])('%s', (text, columns) => {
    expect(width(text)).toBe(columns)
  })

  it('is kept by a cut', () => {
    expect(cut('日本語', 6)).toBe('日本語')
    expect(cut('日本語', 5)).toBe('日本…')
    expect(cut('日本語', 4)).toBe('日…')
    expect(cut('abc', 0)).toBe('')
    expect(cut('abc', 1)).toBe('…')
  })

  it('aligns columns', () => {
    const lines = table(
      [{ title: 'A' }, { title: 'B', alignsRight: true }, { title: 'C' }],
      [
        ['日本', '1', 'x'],
        ['ab', '100', 'y'],
      ],
    )
    expect(lines).toEqual(['A       B  C', '日本    1  x', 'ab    100  y'])
  })

  it('what can’t be seen is shown by its number', () => {
    expect(visible('a\u0000\u007f\u200b\u2028é日\ufeff')).toBe('a\\x00\\x7f\\u{200b}\\u{2028}é日\\u{feff}')
  })
})
