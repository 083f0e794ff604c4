"""The inbox: a Redis stream between ingest and counting. The only code that knows the stream.

    append (ingest, async)  ──►  stream, group "count"  ──►  claim · take over · settle (workers)

One stream entry holds what arrived while the previous append was under way (group commit): parcels
as columns, a parcel being the submissions of one request. Beside the stream a hash counts, in the
same transaction, what was accepted and what was settled; its epoch tells one life of the inbox from
the next (a Redis that was replaced starts a new one).
"""
