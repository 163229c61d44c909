/** Which thread this is. */
let isMain: boolean | undefined

/** Asked when somebody needs it: node:worker_threads has Node's streams loaded. */
export function isMainThread(): boolean {
  isMain ??= process.getBuiltinModule('node:worker_threads').isMainThread
  return isMain
}
