# Trouble at the end of the message: the refusal of the store is the reply, and the transaction is over.
boxes: a@x.test
at-delivery: all=full

S~ 220 *
C: HELO c.test
C: MAIL FROM:<s@x.test>
C: RCPT TO:<a@x.test>
C: DATA
S~ 250 *
S~ 250 *
S~ 250 *
S~ 354 *
C: .  # an empty message has an answer
S: 452 4.3.1 The server is out of disk space; nothing was taken, try again later
C: DATA
S~ 503 5.5.1 *
# RFC 5321 §6.3: more than 100 Received fields are a loop.
C: MAIL FROM:<s@x.test>
C: RCPT TO:<a@x.test>
C: DATA
S~ 250 *
S~ 250 *
S~ 354 *
C: Received: from h0 by h1; today
C: Received: from h1 by h2; today
C: Received: from h2 by h3; today
C: Received: from h3 by h4; today
C: Received: from h4 by h5; today
C: Received: from h5 by h6; today
C: Received: from h6 by h7; today
C: Received: from h7 by h8; today
C: Received: from h8 by h9; today
C: Received: from h9 by h10; today
C: Received: from h10 by h11; today
C: Received: from h11 by h12; today
C: Received: from h12 by h13; today
C: Received: from h13 by h14; today
C: Received: from h14 by h15; today
C: Received: from h15 by h16; today
C: Received: from h16 by h17; today
C: Received: from h17 by h18; today
C: Received: from h18 by h19; today
C: Received: from h19 by h20; today
C: Received: from h20 by h21; today
C: Received: from h21 by h22; today
C: Received: from h22 by h23; today
C: Received: from h23 by h24; today
C: Received: from h24 by h25; today
C: Received: from h25 by h26; today
C: Received: from h26 by h27; today
C: Received: from h27 by h28; today
C: Received: from h28 by h29; today
C: Received: from h29 by h30; today
C: Received: from h30 by h31; today
C: Received: from h31 by h32; today
C: Received: from h32 by h33; today
C: Received: from h33 by h34; today
C: Received: from h34 by h35; today
C: Received: from h35 by h36; today
C: Received: from h36 by h37; today
C: Received: from h37 by h38; today
C: Received: from h38 by h39; today
C: Received: from h39 by h40; today
C: Received: from h40 by h41; today
C: Received: from h41 by h42; today
C: Received: from h42 by h43; today
C: Received: from h43 by h44; today
C: Received: from h44 by h45; today
C: Received: from h45 by h46; today
C: Received: from h46 by h47; today
C: Received: from h47 by h48; today
C: Received: from h48 by h49; today
C: Received: from h49 by h50; today
C: Received: from h50 by h51; today
C: Received: from h51 by h52; today
C: Received: from h52 by h53; today
C: Received: from h53 by h54; today
C: Received: from h54 by h55; today
C: Received: from h55 by h56; today
C: Received: from h56 by h57; today
C: Received: from h57 by h58; today
C: Received: from h58 by h59; today
C: Received: from h59 by h60; today
C: Received: from h60 by h61; today
C: Received: from h61 by h62; today
C: Received: from h62 by h63; today
C: Received: from h63 by h64; today
C: Received: from h64 by h65; today
C: Received: from h65 by h66; today
C: Received: from h66 by h67; today
C: Received: from h67 by h68; today
C: Received: from h68 by h69; today
C: Received: from h69 by h70; today
C: Received: from h70 by h71; today
C: Received: from h71 by h72; today
C: Received: from h72 by h73; today
C: Received: from h73 by h74; today
C: Received: from h74 by h75; today
C: Received: from h75 by h76; today
C: Received: from h76 by h77; today
C: Received: from h77 by h78; today
C: Received: from h78 by h79; today
C: Received: from h79 by h80; today
C: Received: from h80 by h81; today
C: Received: from h81 by h82; today
C: Received: from h82 by h83; today
C: Received: from h83 by h84; today
C: Received: from h84 by h85; today
C: Received: from h85 by h86; today
C: Received: from h86 by h87; today
C: Received: from h87 by h88; today
C: Received: from h88 by h89; today
C: Received: from h89 by h90; today
C: Received: from h90 by h91; today
C: Received: from h91 by h92; today
C: Received: from h92 by h93; today
C: Received: from h93 by h94; today
C: Received: from h94 by h95; today
C: Received: from h95 by h96; today
C: Received: from h96 by h97; today
C: Received: from h97 by h98; today
C: Received: from h98 by h99; today
C: Received: from h99 by h100; today
C: Received: from h100 by h101; today
C: .
S: 554 5.4.6 The message went through more than 100 servers; it goes in a circle
C: QUIT
S~ 221 *
E:
