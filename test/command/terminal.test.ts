/** `sigshield run` at a terminal, beside the bare command in the same terminal: nobody there sees a difference. */
import { describe, expect, it } from 'vitest'
import { sigshield } from '../support/command.js'
import { childrenOf, processOf } from '../support/process-table.mjs'
import { isAlive, until } from '../support/processes.js'
import { CTRL_C, CTRL_Z, Terminal } from '../support/terminal.js'

const PROMPT = 'ready> '

/** A shell with job control, as people have it. */
async function shell(): Promise<Terminal> {
  const terminal = new Terminal('bash', ['--norc', '--noprofile', '--noediting', '-i'])
  terminal.type(`PS1='rea''dy> '; stty -echoctl; bind 'set enable-bracketed-paste off' 2>/dev/null; clear\n`)
  await until(() => terminal.screen.trimEnd().endsWith(PROMPT.trim()), 'the prompt is there')
  return terminal
}

/** Types a line; resolves with what was printed until the next prompt. */
async function answer(terminal: Terminal, text: string, keys: () => Promise<void> = async () => {}): Promise<string> {
  const from = terminal.screen.length
  terminal.type(`${text}\n`)
  await keys()
  await until(() => terminal.screen.slice(from).endsWith(PROMPT), `the prompt after: ${terminal.screen.slice(from)}`)
  // Without the echo of the line itself.
  return terminal.screen.slice(from, -PROMPT.length).replace(/^.*?\r\n/, '')
}

/** The same for the bare command and for `run` before it. */
async function beside(command: string, options = '', keys?: (terminal: Terminal, from: number) => Promise<void>) {
  const terminal = await shell()
  const ask = (text: string) => {
    const from = terminal.screen.length
    return answer(terminal, text, async () => keys?.(terminal, from))
  }
  const bare = await ask(command)
  const bareStatus = await answer(terminal, 'echo $?')
  const run = await ask(`${sigshield} run ${options} -- ${command}`)
  const runStatus = await answer(terminal, 'echo $?')
  return { bare: bare + bareStatus, run: run + runStatus }
}

// As `docker kill` does. The kernel's own signals look the same to who asks for the sender alone.
it('passes on what comes from outside of its pid namespace', async () => {
  const program = `bash -c 'trap "echo heard; exit 3" HUP; echo up; while :; do sleep 0.02; done'`
  const terminal = new Terminal('unshare', [
    '--pid',
    '--fork',
    '--mount-proc',
    'sh',
    '-c',
    `${sigshield} run -- ${program}; echo "left $?"`,
  ])
  await terminal.shows('up')
  const [unshare] = childrenOf(process.pid).filter(({ name }) => name === 'unshare')
  const run = childrenOf(childrenOf(unshare?.pid ?? 0)[0]?.pid ?? 0)[0]?.pid as number
  process.kill(run, 'SIGHUP')
  await terminal.shows('left 3', await terminal.shows('heard'))
})

describe('the same as the bare command', () => {
  it.each([
    [
      'isatty, and its size',
      `python3 -c 'import os,sys; print([os.isatty(i) for i in (0,1,2)], os.get_terminal_size())'`,
    ],
    ['colours', 'ls --color=auto -d /usr /etc/passwd'],
    [
      'the process group that holds the terminal',
      `python3 -c 'import os; print(os.tcgetpgrp(0) == os.getpgrp(), os.getsid(0) == os.getpgrp())'`,
    ],
    ['the mode of the terminal', 'stty -a'],
    ['a code', `bash -c 'exit 9'`],
    ['a signal, as the shell tells it', `sh -c 'kill -TERM $$'`],
    ['a program that is not there', `sh -c nowhere-at-all`],
  ])('%s', async (_title, command) => {
    const { bare, run } = await beside(command)
    expect(run).toBe(bare)
  })

  it('the mode that a program leaves behind', async () => {
    const terminal = await shell()
    await answer(terminal, `${sigshield} run -- stty -icanon min 3`)
    expect(await answer(terminal, 'stty -a | grep -o -e "-icanon" -e "min = 3"')).toBe('min = 3\r\n-icanon\r\n')
  })

  it('what is typed, read a line at a time', async () => {
    const { bare, run } = await beside(`sh -c 'read -r a; read -r b; echo "[$a] [$b]"'`, '', async (terminal) => {
      terminal.type('first\nsecond\n')
    })
    expect(run.replaceAll(/first|second/g, '')).toBe(bare.replaceAll(/first|second/g, ''))
    expect(run).toContain('[first] [second]')
  })

  it('Ctrl-C for a program that hears it', async () => {
    const program = `bash -c 'trap "echo int; exit 4" INT; echo up; while :; do sleep 0.05; done'`
    const { bare, run } = await beside(program, '--ignore none', async (terminal, from) => {
      await terminal.shows('up\r\n', from)
      terminal.type(CTRL_C)
    })
    expect(run).toBe(bare)
    expect(run).toContain('int')
  })

  it('Ctrl-C that such a program outlives is not the end of it', async () => {
    // In short pieces: a signal that comes right before it reads would be heard by nobody until a line comes.
    const read = 'until read -r -t 0.05 word; do :; done'
    const program = `bash -c 'trap "echo int" INT; echo up; ${read}; echo "got \\$word"'`
    const { bare, run } = await beside(program, '--ignore none', async (terminal, from) => {
      const up = await terminal.shows('up\r\n', from)
      terminal.type(CTRL_C)
      await terminal.shows('int\r\n', up)
      terminal.type('word\n')
    })
    expect(run).toBe(bare)
  })

  it('Ctrl-C with the default action', async () => {
    const { bare, run } = await beside('sleep 1000', '--ignore none', async (terminal, from) => {
      const foreground = () => processOf(childrenOf(shellPid(terminal))[0]?.pid ?? 0)
      await until(() => hasProgram(foreground()?.pid, 'sleep'), 'sleep runs')
      terminal.type(CTRL_C)
      await until(() => terminal.screen.slice(from).includes(PROMPT), 'it has ended')
    })
    expect(run).toBe(bare)
    expect(run).toContain('130')
  })
})

const pids = new WeakMap<Terminal, number>()

/** The shell that was started last by this process. */
function shellPid(terminal: Terminal): number {
  let pid = pids.get(terminal)
  if (pid === undefined) {
    pid = childrenOf(process.pid)
      .filter(({ name }) => name === 'bash')
      .at(-1)?.pid as number
    pids.set(terminal, pid)
  }
  return pid
}

/** Whether it is this program, or has it as a child. */
function hasProgram(pid: number | undefined, name: string): boolean {
  if (pid === undefined) return false
  return processOf(pid)?.name === name || childrenOf(pid).some((child) => child.name === name)
}

/**
 * The shell knows of a stop by the first process of its job. Another, that waits for a line and has not run since, takes what is typed
 * by then before it stops.
 */
async function haveStopped(...all: number[]): Promise<void> {
  await until(() => all.every((pid) => processOf(pid)?.state === 'T'), `all have stopped: ${all}`)
}

describe('job control', () => {
  const program = `bash -c 'echo up; while read -r word; do echo "got $word"; done; exit 6'`

  it.each([
    ['in the same group', '--ignore none'],
    ['that ignores Ctrl-C', ''],
    ['in the foreground', '--foreground'],
  ])('Ctrl-Z and fg: a program %s', async (_title, options) => {
    const terminal = await shell()
    let from = terminal.screen.length
    terminal.type(`${sigshield} run ${options} -- ${program}\n`)
    from = await terminal.shows('up\r\n', from)
    const run = childrenOf(shellPid(terminal))[0]?.pid as number
    const child = childrenOf(run)[0]?.pid as number
    terminal.type(CTRL_Z)
    from = await terminal.shows(PROMPT, await terminal.shows('Stopped', from))
    await haveStopped(run, child)
    expect(await answer(terminal, 'jobs | wc -l')).toBe('1\r\n')
    terminal.type('fg\n')
    await until(() => processOf(child)?.state === 'S', 'it goes on')
    terminal.type('word\n')
    from = await terminal.shows('got word', from)
    terminal.type(CTRL_Z)
    from = await terminal.shows(PROMPT, await terminal.shows('Stopped', from))
    await haveStopped(run, child)
    terminal.type('fg\n')
    await until(() => processOf(child)?.state === 'S', 'it goes on')
    terminal.type('\x04')
    await until(() => !isAlive(run) && terminal.screen.endsWith(PROMPT), 'the prompt is there')
    expect(await answer(terminal, 'echo $?')).toBe('6\r\n')
  })

  it('bg lets it go on in the background, and reading stops it again', async () => {
    const terminal = await shell()
    const from = terminal.screen.length
    terminal.type(
      `${sigshield} run -- bash -c 'echo up; for i in 1 2 3 4; do sleep 0.3; done; echo later; read -r word; echo "$word"'\n`,
    )
    await terminal.shows('up\r\n', from)
    terminal.type(CTRL_Z)
    const stopped = await terminal.shows(PROMPT, await terminal.shows('Stopped', from))
    terminal.type('bg\n')
    const later = await terminal.shows('later\r\n', stopped)
    await until(() => processOf(childrenOf(shellPid(terminal))[0]?.pid as number)?.state === 'T', 'it waits to read')
    await answer(terminal, 'jobs')
    const resumed = terminal.screen.length
    terminal.type('fg\n')
    // The shell says what it lets go on.
    await terminal.shows('echo "$word"', resumed)
    terminal.type('typed\n')
    await terminal.shows('typed\r\ntyped\r\n', later)
  })

  it('a program that ignores Ctrl-Z is not stopped, and neither is run', async () => {
    const terminal = await shell()
    const from = terminal.screen.length
    terminal.type(`${sigshield} run --ignore TSTP -- ${program}\n`)
    const up = await terminal.shows('up\r\n', from)
    terminal.type(`${CTRL_Z}word\n`)
    await terminal.shows('got word', up)
    terminal.type('\x04')
    await until(() => terminal.screen.endsWith(PROMPT), 'the prompt is there')
    expect(await answer(terminal, 'echo $?')).toBe('6\r\n')
  })
})

describe('Ctrl-C for a program that ignores it', () => {
  const stubborn = `bash -c 'trap "echo term" TERM; echo up; while :; do sleep 0.05; done'`

  it('asks it to leave, and kills it when the grace is over', async () => {
    const terminal = await shell()
    const from = terminal.screen.length
    terminal.type(`${sigshield} run --grace 300ms -- ${stubborn}\n`)
    await terminal.shows('up\r\n', from)
    terminal.type(CTRL_C)
    await terminal.shows('term\r\n', from)
    await terminal.shows('sigshield run: bash was killed: it did not leave in', from)
    await until(() => terminal.screen.endsWith(PROMPT), 'the prompt is there')
    expect(await answer(terminal, 'echo $?')).toBe('137\r\n')
  })

  it('pressed again and again kills it', async () => {
    const terminal = await shell()
    const from = terminal.screen.length
    terminal.type(`${sigshield} run --grace infinity -- ${stubborn}\n`)
    await terminal.shows('up\r\n', from)
    // Two that reach it closer together than 30 ms are one press: on a busy machine more than three are needed.
    const pressing = setInterval(() => terminal.type(CTRL_C), 60)
    await terminal.shows('it was asked again', from).finally(() => clearInterval(pressing))
  })

  it('a window that is closed: the program is asked, and gone', async () => {
    const terminal = await shell()
    const from = terminal.screen.length
    terminal.type(`${sigshield} run --ignore INT,HUP --grace 200ms -- ${stubborn}\n`)
    await terminal.shows('up\r\n', from)
    const run = childrenOf(shellPid(terminal))[0]?.pid as number
    const child = childrenOf(run)[0]?.pid as number
    terminal.close()
    await until(() => !isAlive(child) && !isAlive(run), 'both have gone')
  })

  it('a terminal without a shell between: docker run -it', async () => {
    const terminal = new Terminal(sigshield, [
      'run',
      '--',
      'bash',
      '-c',
      'trap "exit 5" TERM; echo up; while :; do sleep 0.05; done',
    ])
    await terminal.shows('up')
    terminal.type(CTRL_C)
    expect((await terminal.exit).exitCode).toBe(5)
  })
})
