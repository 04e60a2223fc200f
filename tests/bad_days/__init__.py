"""Bad days, tried: what dies is killed, what answers is cut off, what is typed is hostile, and the market stays right.

kill_loop      walks of buyers from "place order" to "handed over" while processes are killed with -9
later          the market some minutes or hours later, as its worker would leave it
market_day     an hour's market day compressed, as a program and as a test
"""
