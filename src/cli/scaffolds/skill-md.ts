import type { ScaffoldMaker } from './scaffold.ts'

/** An Agent Skills folder with a script and a reference. */
export const skillMdScaffold: ScaffoldMaker = (name) => ({
  'SKILL.md': `---
name: ${name}
description: Checks a text for sentences that are too long and proposes how to split them. Use it when somebody asks for plain language or a readability check.
---

# Plain language

1. Run \`scripts/sentences.py\` with the text on stdin. It prints JSON: every sentence over 25 words, with its number of words.
2. Rewrite each of them as two or three shorter ones that keep the meaning. [references/rules.md](references/rules.md) has the rules.
3. Answer with the old and the new sentences side by side.
`,
  'scripts/sentences.py': `#!/usr/bin/env python3
"""Prints the sentences of the text on stdin that have more words than the limit (first argument, default 25), as JSON."""
import json
import re
import sys

limit = int(sys.argv[1]) if len(sys.argv) > 1 else 25
sentences = re.split(r"(?<=[.!?])\\s+", sys.stdin.read().strip())
found = [{"sentence": one, "words": len(one.split())} for one in sentences if len(one.split()) > limit]
print(json.dumps({"sentences": len(sentences), "too_long": found}))
`,
  'references/rules.md': `# Rules

- One thought a sentence; what happens first comes first.
- Name who does it: "the server refuses the request", not "the request is refused".
- Keep the terms of the subject. Replace filler, not facts.
`,
  'sample-input.json':
    '{ "script": "scripts/sentences.py", "args": ["3"], "stdin": "This one is longer. Not this." }\n',
})
