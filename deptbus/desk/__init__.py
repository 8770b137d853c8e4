"""What officers and commanders see and do: the reading side of ``workflow.*``, and the events they publish.

``board``, ``afteraction``, ``template`` and ``orders`` are pure; ``reading`` and ``acting`` speak to Kafka.
"""
