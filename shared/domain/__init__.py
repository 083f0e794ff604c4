"""The regulation as code: standard library only, no clock, no I/O, exact arithmetic.

Law: UU 25/2009, PP 96/2012, and the method of PermenPAN-RB 14/2017 (Survei Kepuasan Masyarakat).
"""
