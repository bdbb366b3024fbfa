# Old mail with raw 8-bit header comes in by APPEND (mbsync, offlineimap, imapsync), though RFC 9755 §4 would refuse it.
messages: 0

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b APPEND INBOX {15+}
C< Subject: \xcb\xcf\r\n\r\n\r\n
S~ b OK [APPENDUID * 1] APPEND completed
C: c APPEND INBOX {15+}
C< Subject: \xc3\xa4\r\n\r\n\r\n
S~ c OK [APPENDUID * 2] APPEND completed
