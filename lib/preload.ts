/**
 * A whole program: `node --import sigshield/protect app.js`. All children that it starts are protected, with the options of
 * SIGSHIELD_PROTECT, or of the key "sigshield" in the package.json of the program.
 */
import { withProgramOptions } from './foreign/program-options.js'
import { protect } from './protect.js'

withProgramOptions(protect)
