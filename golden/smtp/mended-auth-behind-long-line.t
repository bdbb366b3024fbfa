# Found by fuzzing: an AUTH line may have 12288 octets (RFC 4954 §4), and also when it is pipelined behind a line that
# was too long and is still being dropped.
users: tim:secret
plaintext_auth: yes

S~ 220 *
C: EHLO c.test
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250 *
C< \{3000:x}\r\nAUTH PLAIN \{3000:A}\r\nNOOP\r\n
S~ 500 5.5.2 The command is too long; *
S: 501 5.5.2 That is not what PLAIN has at this point
S~ 250 *
