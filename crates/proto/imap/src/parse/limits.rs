//! How much a command may hold. The receiver bounds its length before; these bound what grows out of it.

/// Longest tag in octets.
pub const TAG_BYTES_MAX: usize = 128;
/// Deepest nesting of search keys (lists in parentheses, NOT, OR below another key).
pub const SEARCH_DEPTH_MAX: usize = 100;
/// Most search keys in one command, lists and NOTs counted.
pub const SEARCH_KEYS_MAX: usize = 10_000;
/// Most part numbers in a section (`1.2.3` has three).
pub const SECTION_DEPTH_MAX: usize = 100;
/// Most data items of one FETCH.
pub const FETCH_ITEMS_MAX: usize = 256;
/// Most header field names in one section.
pub const HEADER_NAMES_MAX: usize = 1000;
/// Most flags in one list.
pub const FLAGS_MAX: usize = 256;
/// Most patterns of one LIST.
pub const PATTERNS_MAX: usize = 256;
/// Most words in lists of options.
pub const OPTIONS_MAX: usize = 64;
/// Most names of mailboxes in one list of NOTIFY or ESEARCH.
pub const SOURCE_MAILBOXES_MAX: usize = 10_000;
/// Most metadata entries of one command.
pub const METADATA_ENTRIES_MAX: usize = 256;
/// Longest name of a metadata entry, in octets.
pub const METADATA_NAME_BYTES_MAX: usize = 512;
/// Most entries of one ANNOTATION (RFC 5257).
pub const ANNOTATION_ENTRIES_MAX: usize = 64;
/// Longest name of an entry of ANNOTATION, in octets.
pub const ANNOTATION_NAME_BYTES_MAX: usize = 256;
/// Most pairs of ID (RFC 2971 §3.3).
pub const ID_PAIRS_MAX: usize = 30;
/// Most URLs of one GENURLAUTH or URLFETCH.
pub const URLS_MAX: usize = 100;
/// Most parts of one message of CATENATE (RFC 4469).
pub const CATENATE_PARTS_MAX: usize = 1000;
/// Most messages of one APPEND (RFC 3502), whatever the session's own limit is (RFC 9738).
pub const APPEND_MESSAGES_MAX: usize = 100_000;
