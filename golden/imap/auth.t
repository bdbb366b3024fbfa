# LOGIN and AUTHENTICATE (RFC 3501 §6.2.2, §6.2.3; RFC 4959).

S~ * OK [CAPABILITY *] *
C: a LOGIN joe wrong  # RFC 5530 §3
S: a NO [AUTHENTICATIONFAILED] Wrong name or password
C: b LOGIN nomail secret
S: b NO [AUTHORIZATIONFAILED] This account may not use IMAP
C: c LOGIN away secret
S: c NO [UNAVAILABLE] Accounts can't be looked up now, try again later
C: d AUTHENTICATE PLAIN
S< + \r\n
C: *  # RFC 3501 §6.2.2: cancelled, BAD
S: d BAD AUTHENTICATE cancelled
C: e AUTHENTICATE PLAIN
S< + \r\n
C: not base64
S: e BAD That is not base64
C: f AUTHENTICATE X-NONE
S: f NO That mechanism is not supported
C: g AUTHENTICATE PLAIN =  # RFC 4959 §3: an empty initial response
S: g BAD The mechanism's rules were broken
C: h AUTHENTICATE PLAIN
S< + \r\n
C: AGpvZQBzZWNyZXQ=
S~ h OK [CAPABILITY *] *
