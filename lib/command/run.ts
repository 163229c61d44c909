/** `sigshield run`: a protected child in this process's place, as far as anybody else can see. */
import { once } from 'node:events'
import { constants } from 'node:os'
import { exitEvent as exitEventOfThisProcess } from '../child.js'
import { checkStop } from '../end/ladder.js'
import { ExitEvent } from '../exit-event.js'
import { systemError } from '../node/errors.js'
import { ProtectedProcess } from '../protected-process.js'
import { includes, type Signal, signalName, signalNumber } from '../signal/names.js'
import { planSpawn, type SpawnPlan } from '../start/plan.js'
import { handleOf, type ProcessHandle } from '../start/process-handle.js'
import { hasOwnGroup, unheardSignals } from '../start/protection.js'
import { type StopRequest, stopRequest } from '../stop.js'
import { Adopted } from './adopted.js'
import { say } from './held-output.js'
import { type Inherited, takeInherited } from './inherited.js'
import { JobControl } from './job-control.js'
import type { optionTables } from './options.js'
import { print } from './output.js'
import { asUsageError, parse, type Values } from './parse.js'
import { unenforced, withInherited } from './protection.js'
import { refusal, refuse } from './refusal.js'
import { endAs, Relay } from './relay.js'
import { UsageError, usage } from './usage.js'

/** Which asks it to leave, where nobody has named one: the first that it hears. */
const ASKING = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const

interface Prepared {
  readonly plan: SpawnPlan
  readonly stop: StopRequest
  /** Signals that the command was asked not to hear. */
  readonly asked: bigint
}

type Options = Omit<Values<(typeof optionTables)['run']>, 'help'>

export async function run(args: string[]): Promise<void> {
  const { values, operands } = parse('run', args)
  const { help, ...options } = values
  if (help) {
    print(usage('run'))
    return
  }
  const [file, ...rest] = operands
  if (file === undefined) throw new UsageError('a command is missing', 'run')
  const inherited = takeInherited()
  const prepared = prepare(options, file, rest, inherited)
  if (file === '') {
    process.exitCode = refuse(
      'run',
      file,
      Object.assign(systemError(-constants.errno.ENOENT, 'spawn'), { step: 'execve' }),
    )
    return
  }
  await attend(prepared, file, options)
}

/** @throws {@link UsageError} for options that can't work, or not together. */
function prepare(options: Options, file: string, args: string[], inherited: Inherited): Prepared {
  const { grace, stopSignal, target, exitEvent, ...protection } = options
  try {
    const { ignore, block, asked, inheritedOnly } = withInherited(protection, inherited)
    const event = eventFor(exitEvent === true)
    const stdio = inheritedStdio(inherited)
    // Nobody executes a file without a name, and Node refuses it by an error of its own.
    const plan = planSpawn(file || 'none', args, { ...protection, ...event, ignore, block, stdio })
    const unheard = unheardSignals(plan.protection)
    const asks = stopSignal ?? (exitEvent ? undefined : asking(unheard, grace))
    const stop = stopRequest({ grace, signal: asks, target })
    const leadsGroup = hasOwnGroup(plan.protection)
    if (target === 'group' && !leadsGroup) throw new UsageError("'--target group' needs '--process-group'", 'run')
    checkStop({ unheard, unhandled: 0n, leadsGroup, asksByEvent: exitEvent === true }, stop)
    return { plan: { ...plan, protection: unenforced(plan.protection, inheritedOnly) }, stop, asked }
  } catch (error) {
    throw asUsageError(error, 'run')
  }
}

/** One of its own where that is asked for; else the one that this process was given, if any, as whoever gave it meant the program. */
function eventFor(isAskedFor: boolean): { readonly exitEvent?: ExitEvent } {
  if (isAskedFor) return { exitEvent: new ExitEvent() }
  const given = exitEventOfThisProcess()
  return given.connected ? { exitEvent: given } : {}
}

/** Each at its own number, as they were given to this process. */
function inheritedStdio({ descriptors }: Inherited): ('inherit' | 'ignore' | number)[] {
  const last = Math.max(2, ...descriptors)
  return Array.from({ length: last + 1 }, (_, fd) => (descriptors.includes(fd) ? fd : 'ignore'))
}

function asking(unheard: bigint, grace: Options['grace']): Signal | undefined {
  const heard = ASKING.find((signal) => !includes(unheard, signalNumber(signal)))
  if (heard !== undefined || grace === 0) return heard
  const rule =
    "it could not be asked to leave by any signal: give it '--exit-event', name a '--stop-signal', or '--grace 0'"
  throw new UsageError(rule, 'run')
}

async function attend({ plan, stop, asked }: Prepared, file: string, { drain, foreground }: Options): Promise<void> {
  const adopted = drain === undefined && process.pid !== 1 ? undefined : new Adopted()
  const relay = new Relay({ stop, asked, sharesGroup: plan.protection.numbers.setProcessGroup === 0 })
  // From here on no signal ends this process before its child.
  await relay.whileHeld(async () => {
    const child = await started(plan, file)
    try {
      const [code, signal] = await exitOf(child)
      await relay.settled
      if (drain !== undefined) await Promise.race([adopted?.wait(drain), relay.hasEnough])
      endAs(code ?? 0, signal === null ? undefined : numberOf(signal))
    } catch (error) {
      await child.stop({ grace: 0, target: stop.target }).catch(() => handleOf(child)?.kill(constants.signals.SIGKILL))
      await failed(file, error as Error)
    }
  })

  /** @throws what keeps this process from standing in the child's place: it must not be left without one. */
  function exitOf(child: ProtectedProcess): Promise<[code: number | null, signal: string | null]> {
    const ended = once(child, 'exit') as Promise<[code: number | null, signal: string | null]>
    const handle = handleOf(child) as ProcessHandle
    const sharesGroup = plan.protection.numbers.setProcessGroup === 0
    const jobs = new JobControl(child.pid as number, handle, { holdsTerminal: foreground === true, sharesGroup })
    adopted?.reapBut(child.pid as number)
    return Promise.race([ended, relay.begin(child, handle, jobs), leaveByEvent(child)])
  }

  /** By the event that this process was given itself, where that is not the child's too. */
  async function leaveByEvent(child: ProtectedProcess): Promise<never> {
    const given = exitEventOfThisProcess()
    if (given.connected && plan.protection.exitEvent !== given) {
      await given.wait()
      relay.leave(child)
    }
    return new Promise(() => {})
  }
}

/** Or else ends this process, and says why. */
async function started(plan: SpawnPlan, file: string): Promise<ProtectedProcess> {
  try {
    const child = new ProtectedProcess(plan)
    if (child.pid === undefined) throw (await once(child, 'error'))[0]
    return child
  } catch (error) {
    return failed(file, error as Error)
  }
}

async function failed(file: string, error: Error): Promise<never> {
  const { status, text } = refusal(file, error)
  await say(text)
  return endAs(status, undefined)
}

/** Of any signal that can end a process. */
function numberOf(name: string): number {
  for (let number = 1; number <= 64; number += 1) if (signalName(number) === name) return number
  return constants.signals.SIGKILL
}
