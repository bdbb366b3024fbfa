# Limits before the log-in: literals, lines, errors. The peer gets an answer each time; then BYE.

S~ * OK [CAPABILITY *] *
C: a LOGIN {20000}
S: a BAD command too long  # refused instead of "+" (RFC 9051 §4.3)
C< b LOGIN {20000+}\r\n\{20000:x} {1+}\r\nx\r\n
S: b BAD command too long  # RFC 7888 §4: read and dropped, with what follows it
C< \{9000:x}\r\n
S: * BAD line too long
C< c NOOP\n
S: c BAD bare CR or LF in a line, lines end with CRLF
C< d NOOP\rx\r\n
S: d BAD bare CR or LF in a line, lines end with CRLF
C< e NO\0OP\r\n
S: e BAD NUL in a command
C: f APPEND INBOX {10}
S: f BAD message too big
C: g bogus
S: g BAD unknown command at column 3: "bogus"
C: h NOOP
S: h OK NOOP completed
C: i bogus
S: i BAD unknown command at column 3: "bogus"
C: j bogus
S: j BAD unknown command at column 3: "bogus"
S: * BYE Too many errors
E:
