import type { Rule } from '../rule.ts'

const REZIP = 'Make the archive again with a current zip tool from the plain folder.'
const RENAME = 'Rename the file in the package.'

const deny = (why: string, fix: string): Rule => ({ severity: 'deny', why, fix })

/** What an archive may be refused for. */
export const ZIP_RULES = {
  'zip.malformed': deny('The archive cannot be read as its own records say.', REZIP),
  'zip.empty': deny('There is no file in the archive.', 'Put the files of the skill into the archive.'),
  'zip.too_slow': deny('Reading the archive took too long and was stopped.', 'Make the package smaller and simpler.'),
  'zip.too_many_entries': deny(
    'Each entry costs time and memory everywhere the package goes.',
    'Leave out node_modules, caches and data; dependencies are installed by Skillet.',
  ),
  'zip.too_large': deny('The inflated package is larger than allowed.', 'Leave out data and dependencies.'),
  'zip.bomb': deny(
    'A tiny file that inflates to a huge one is how archives attack whoever opens them.',
    'Leave the file out, or let the skill make it when it runs.',
  ),
  'zip.zip64': deny(
    'Records for archives over 4 GB are a way to say two sizes at once.',
    `${REZIP} No package needs zip64.`,
  ),
  'zip.encrypted': deny(
    'What cannot be read cannot be checked.',
    'Make the archive without a password; secrets belong to the stage.',
  ),
  'zip.compression': deny(
    'Only stored and deflated entries are read.',
    'Make the archive with the normal deflate method.',
  ),
  'zip.multi_disk': deny('Part of the archive is somewhere else.', 'Upload the archive in one piece.'),
  'zip.ambiguous_end': deny('Two readers could take two different file lists from this archive.', REZIP),
  'zip.prepended': deny('Bytes before the first entry belong to no file.', REZIP),
  'zip.trailing': deny('Bytes after the archive belong to no file.', REZIP),
  'zip.hidden_data': deny('Bytes between the entries belong to no file.', REZIP),
  'zip.overlap': deny('Entries that share bytes inflate more than the archive holds.', REZIP),
  'zip.header_mismatch': deny('Two readers could see two different files in this entry.', REZIP),
  'zip.size_mismatch': deny('The content is not as long as the archive says.', REZIP),
  'zip.crc': deny('The content is not what was packed.', 'Make and upload the archive again; it was damaged.'),
  'zip.traversal': deny('The path leads out of the package.', 'Use paths below the package folder only.'),
  'zip.absolute': deny('The path leads out of the package.', 'Use paths relative to the package folder.'),
  'zip.drive_path': deny(
    'The path leads out of the package on some systems.',
    'Use paths relative to the package folder.',
  ),
  'zip.backslash': deny(
    'Some systems read a backslash as a folder, others as part of the name.',
    'Use / between folders.',
  ),
  'zip.control_character': deny('Control characters hide what a path really is.', RENAME),
  'zip.empty_name': deny('An entry without a name cannot be a file.', REZIP),
  'zip.unclean_path': deny('Such a path can be written in several ways.', 'Use paths without "." and without "//".'),
  'zip.name_encoding': deny('The name is not valid UTF-8.', 'Make the archive with UTF-8 names.'),
  'zip.path_length': deny('Long paths cannot be unpacked everywhere.', 'Shorten the names or the nesting of folders.'),
  'zip.symlink': deny('A link can lead out of the package.', 'Replace the link by the file it points to.'),
  'zip.device': deny('Only files and folders belong into a package.', 'Leave the entry out.'),
  'zip.type_mismatch': deny('The entry is both a file and a folder.', REZIP),
  'zip.duplicate': deny('Which of the two would be used depends on the reader.', 'Keep one of them.'),
  'zip.case_clash': deny('On some systems one of the two overwrites the other.', 'Rename one of them.'),
  'zip.unicode_clash': deny('The two names look the same and are the same on some systems.', 'Rename one of them.'),
  'zip.file_folder_clash': deny('A name cannot be both a file and a folder.', 'Rename one of them.'),
  'zip.ignored': {
    severity: 'warn',
    why: 'What tools leave behind does not belong to the skill.',
    fix: 'Leave it out of the archive; the package is the same without it.',
  },
} satisfies Record<string, Rule>
