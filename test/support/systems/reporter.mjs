/** One line of JSON for each test as it ends, and for each file, for a reader at the other end of a console. */
import { relative } from 'node:path'

const tell = (result) => console.log(`RESULT ${JSON.stringify(result)}`)
const messages = (errors) => (errors ?? []).map(({ stack, message }) => stack ?? message)

export default class ConsoleReporter {
  onTestCaseResult(test) {
    const { state, errors } = test.result()
    const file = relative('.', test.module.moduleId)
    const duration = Math.round(test.diagnostic()?.duration ?? 0)
    tell({ file, test: test.fullName, state, duration, errors: messages(errors) })
  }

  /** A file's own errors: it could not be loaded, or a hook failed. */
  onTestModuleEnd(module) {
    tell({ file: relative('.', module.moduleId), state: module.state(), errors: messages(module.errors()) })
  }

  onTestRunEnd(_modules, unhandled, reason) {
    tell({ state: reason, errors: messages(unhandled) })
  }
}
