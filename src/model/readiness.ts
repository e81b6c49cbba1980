/** What a readiness check says of what is only just tried, and stops nobody: ask again. */
export const BEING_TRIED = 'it is being tried'
