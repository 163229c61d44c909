/** All that a start needs, as it goes to the addon. */
import type { ChildEnd } from '../event/source.js'
import { native } from '../native/load.js'
import { text } from '../native/text.js'
import type { SpawnRequest } from '../native/wire.js'
import type { HandleSpawnOptions } from '../node/child-process-contract.js'
import { handOver } from './descriptors.js'
import { environmentPairs } from './environment.js'
import type { optionFields, Protection } from './protection.js'

/** What was made text before Node was asked. */
export interface PreparedTexts {
  /** The arguments as the program gets them. */
  readonly argumentTexts?: readonly string[]
  /** The environment is this process's own, and what Node hands over are additions to it. */
  readonly inheritEnvironment?: boolean
}

export function startRequest(
  options: HandleSpawnOptions,
  prepared: PreparedTexts,
  { numbers, groups, guard }: Protection,
  childEnd: ChildEnd | undefined,
): SpawnRequest<typeof optionFields> {
  const { descriptors, changes, exitSource, exitTarget } = handOver(options.stdio, childEnd, guard ? 1 : 0)
  const argumentTexts = prepared.argumentTexts ?? options.args?.map(text) ?? []
  const inheritEnvironment =
    prepared.inheritEnvironment ?? (options.envPairs === undefined && native().canReadEnvironment)
  const envPairs = options.envPairs?.map(text) ?? (inheritEnvironment ? [] : environmentPairs(process.env, undefined))
  return {
    options: numbers,
    file: options.file,
    arguments: argumentTexts,
    environment: inheritEnvironment ? null : envPairs,
    environmentChanges: inheritEnvironment ? [...envPairs, ...changes] : changes,
    directory: typeof options.cwd === 'string' ? text(options.cwd) : '',
    descriptors,
    exitSource,
    exitTarget,
    newSession: options.detached,
    uid: options.uid ?? null,
    gid: options.gid ?? null,
    groups,
  }
}
