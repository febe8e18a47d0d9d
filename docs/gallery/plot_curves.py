"""
Published curves, study by study
================================

Points as published, over the courses of their arms.
"""

import ketasim as ks

figure = ks.curves("mice").figure
