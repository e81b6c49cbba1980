/** The revisions of the protocol that are spoken, and what is no part of any of them. */
export const REVISIONS = ['2026-07-28', '2025-11-25', 'extensions'] as const
export type Revision = (typeof REVISIONS)[number]

/** Scenarios that do not apply as a whole, and why. What is not named here applies, and has to pass. */
export const NOT_APPLICABLE: Readonly<Record<string, string>> = {
  'completion-complete': 'skills have no prompts or templates whose arguments could be completed',
  'elicitation-sep1034-defaults': 'skills ask their callers nothing while they run',
  'elicitation-sep1330-enums': 'skills ask their callers nothing while they run',
  'input-required-result-basic-elicitation': 'skills ask their callers nothing while they run',
  'input-required-result-basic-list-roots': 'skills ask their callers nothing while they run',
  'input-required-result-basic-sampling': 'skills ask their callers nothing while they run',
  'input-required-result-capability-check': 'skills ask their callers nothing while they run',
  'input-required-result-multi-round': 'skills ask their callers nothing while they run',
  'input-required-result-multiple-input-requests': 'skills ask their callers nothing while they run',
  'input-required-result-non-tool-request': 'skills ask their callers nothing while they run',
  'input-required-result-request-state': 'skills ask their callers nothing while they run',
  'input-required-result-result-type': 'skills ask their callers nothing while they run',
  'input-required-result-tampered-state': 'skills ask their callers nothing while they run',
  'json-schema-2020-12': 'looks in the list for a name with an underscore, which no skill has',
  'logging-set-level': 'what a run writes is told as progress; logging is deprecated',
  'prompts-get-embedded-resource': 'there are no prompts',
  'prompts-get-simple': 'there are no prompts',
  'prompts-get-with-args': 'there are no prompts',
  'prompts-get-with-image': 'there are no prompts',
  'resources-read-binary': 'reads test://static-binary; files of skills are skill:// (the skills scenarios read those)',
  'resources-read-text': 'reads test://static-text; files of skills are skill:// (the skills scenarios read those)',
  'resources-subscribe': 'not declared: a version of a skill never changes',
  'resources-templates-read': 'reads test://template/…; files of skills are skill://',
  'resources-unsubscribe': 'not declared: a version of a skill never changes',
  'tasks-mrtr-composition': 'skills ask their callers nothing while they run',
  'tasks-mrtr-input': 'skills ask their callers nothing while they run',
  'tasks-required-task-error': 'no tool needs tasks: every run can be waited for',
  'tools-call-audio': 'skills return JSON, no audio',
  'tools-call-elicitation': 'skills ask their callers nothing while they run',
  'tools-call-embedded-resource': 'skills return JSON, no resources',
  'tools-call-image': 'skills return JSON, no images',
  'tools-call-mixed-content': 'skills return JSON, no images or resources',
  'tools-call-sampling': 'skills ask their callers nothing while they run',
  'tools-call-with-logging': 'what a run writes is told as progress; logging is deprecated',
}

/** Single checks of scenarios that apply otherwise, and why they do not. */
export const CHECKS_NOT_APPLICABLE: Readonly<Record<string, string>> = {
  'sep-2575-server-rejects-undeclared-capability': 'no skill needs a capability of its caller',
  'sep-2575-missing-capability-http-400': 'no skill needs a capability of its caller',
}
