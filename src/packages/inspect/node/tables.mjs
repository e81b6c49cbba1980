// What the scan looks for, as data. Severities, reasons and remedies are in ../rules.ts.

export const EVALUATORS = new Set([
  'eval',
  'Function',
  'vm.runInThisContext',
  'vm.runInNewContext',
  'vm.runInContext',
  'vm.Script',
  'vm.compileFunction',
])
export const DECODERS = new Set([
  'atob',
  'unescape',
  'decodeURIComponent',
  'String.fromCharCode',
  'String.fromCodePoint',
])
export const INFLATERS = /^zlib\.(?:gunzip|inflate|inflateRaw|unzip|brotliDecompress)(?:Sync)?$/

/** Full name of what is called or constructed -> rule. */
export const CALLS = [
  [/^child_process(?:\.|$)/, 'js.child_process'],
  [/^process\.(?:binding|_linkedBinding|dlopen)$/, 'js.native_binding'],
  [/^process\.(?:set(?:e?[ug]id|groups)|initgroups)$/, 'js.privilege'],
  [/^process\.(?:kill|abort|chdir|umask|_debugProcess)$/, 'js.process_control'],
  [/^vm\./, 'js.vm'],
  [/^(?:inspector|inspector\/promises)\./, 'js.inspector'],
  [/^(?:module|Module)\.(?:_load|_compile|_resolveFilename|register|registerHooks|runMain)$/, 'js.module_internals'],
  [/^(?:module\.)?Module\.(?:_load|_compile|_resolveFilename)$/, 'js.module_internals'],
  [/^v8\.(?:setFlagsFromString|deserialize|Deserializer|getHeapSnapshot|writeHeapSnapshot)$/, 'js.v8'],
]

/** Modules whose mere import says what the code is about. */
export const MODULES = new Map([
  ['child_process', 'js.child_process'],
  ['vm', 'js.vm'],
  ['inspector', 'js.inspector'],
  ['inspector/promises', 'js.inspector'],
  ['cluster', 'js.child_process'],
  ['repl', 'js.vm'],
])

export const METADATA =
  /169\.254\.(?:169\.25[34]|170\.2)\b|\b2852039166\b|0xa9fea9fe|metadata\.google\.internal|100\.100\.100\.200|fd00:ec2::254|::ffff:a9fe:a9fe|metadata\.azure\.internal/i
export const METADATA_NUMBERS = new Set([0xa9fea9fe, 0xa9feaa02])
export const PROC =
  /\/proc\/(?:1\/|kcore|kallsyms|kmem|sysrq-trigger|sys\/kernel\/|keys\b|(?:self|thread-self|[0-9]+|\*)\/(?:mem|maps|environ|root|cwd|fd|ns)\b)|\/dev\/(?:k?mem|kmsg|port)\b|\/sys\/(?:kernel\/|fs\/cgroup\/.*release_agent)/
export const PROTOTYPE =
  /^(?:Object|Array|String|Number|Boolean|Function|Promise|RegExp|Map|Set|Date|Error|Symbol)\.prototype(?:\.|$)/
