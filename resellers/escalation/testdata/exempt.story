# A reseller is exempt from the duty of a program before its first attestation is due (15 CFR 7.306, proposed).
# While it is, nothing is asked of it; when the exemption ends it has its whole 30 days.

day 0   enrolled
day 20  exempt until day 385

expect day 19  next warned on day 30
expect day 20  still pending
expect day 20  next warned on day 415
expect day 384 23:59:59  still pending
expect day 384  limit none
expect day 385  next warned on day 415

expect day 415  opens cip.missing
expect day 415  warned
expect day 415  limit day 445
day 420  attests initial
expect day 420  cures cip.missing
expect day 420  good

until day 700
