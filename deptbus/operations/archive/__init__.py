"""Archives: stretches of topics as Avro object container files with an index, checksums and a manifest; and restoring.

A folder that anybody's Avro reader and ``sha256sum -c SHA256SUMS`` understand::

    MANIFEST.json                                 what the archive holds; written last
    SHA256SUMS                                    of every file
    schemas/<id>.json                             the schemas, by the ids that frames of values name
    data/<topic>/<partition>/<first offset>.avro  the records: envelope, key, value and place
    data/<topic>/<partition>/<first offset>.json  the index of that file

An unfinished archive has a ``PLAN.json`` instead of a manifest, and is gone on with.
"""
