"""What officers and commanders see and do: the reading side of ``workflow.*``, and the events they publish.

All of it is pure but ``reading`` and ``acting``, which speak to Kafka.
"""
