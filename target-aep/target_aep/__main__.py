"""`python -m target_aep`."""

from target_aep.target import TargetAEP

TargetAEP.cli()
