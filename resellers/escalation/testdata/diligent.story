# A reseller attests soon after enrolment and then every year. Nothing ever happens to it.

day 0    enrolled
day 12   attests initial
day 370  attests annual
day 700  attests change
day 1060 attests annual

expect day 12   good
expect day 12   next warned on day 377
expect day 370  next warned on day 735
expect day 700  limit none

until day 1400
