/* CVODES with KLU and the exact sparse Jacobian, on the C file that `ketasim export c` writes:
   the strongest peer. Built by benchmarks/cvodes.py at -O3. */
#include <stdlib.h>
#include <cvodes/cvodes.h>
#include <nvector/nvector_serial.h>
#include <sunlinsol/sunlinsol_klu.h>
#include <sunmatrix/sunmatrix_sparse.h>
#include MODEL

static int slopes(sunrealtype t, N_Vector y, N_Vector dy, void *c)
{
  (void)t;
  ketasim_slopes(N_VGetArrayPointer(y), (double *)c, N_VGetArrayPointer(dy));
  return 0;
}

static int jacobian(sunrealtype t, N_Vector y, N_Vector f, SUNMatrix J, void *c, N_Vector a,
                    N_Vector b, N_Vector d)
{
  (void)t, (void)f, (void)a, (void)b, (void)d;
  sunindextype *columns = SUNSparseMatrix_IndexPointers(J), *rows = SUNSparseMatrix_IndexValues(J);
  for (int i = 0; i <= KETASIM_STATES; i++) columns[i] = ketasim_columns[i];
  for (int i = 0; i < KETASIM_ENTRIES; i++) rows[i] = ketasim_rows[i];
  ketasim_jacobian(N_VGetArrayPointer(y), (double *)c, SUNSparseMatrix_Data(J));
  return 0;
}

/* Run members with parameters (n, KETASIM_PARAMETERS); values are (n, KETASIM_OBSERVED, n_times).
   Absolute tolerances are rtol times a thousandth of each state's scale. Returns 0 when well. */
int race(int n, const double *parameters, int n_times, const double *times, double rtol,
         double *values)
{
  SUNContext context;
  if (SUNContext_Create(SUN_COMM_NULL, &context)) return 1;
  N_Vector y = N_VNew_Serial(KETASIM_STATES, context);
  N_Vector atol = N_VNew_Serial(KETASIM_STATES, context);
  SUNMatrix J = SUNSparseMatrix(KETASIM_STATES, KETASIM_STATES, KETASIM_ENTRIES, CSC_MAT, context);
  SUNLinearSolver solver = SUNLinSol_KLU(y, J, context);
  void *cvode = CVodeCreate(CV_BDF, context);
  double *state = N_VGetArrayPointer(y), c[KETASIM_CONSTANTS + 1], o[KETASIM_OBSERVED];
  int failed = 0;
  for (int i = 0; i < KETASIM_STATES; i++)
    N_VGetArrayPointer(atol)[i] = rtol * 1e-3 * ketasim_scales[i];
  CVodeInit(cvode, slopes, ketasim_edges[0], y);
  CVodeSVtolerances(cvode, rtol, atol);
  CVodeSetUserData(cvode, c);
  CVodeSetLinearSolver(cvode, solver, J);
  CVodeSetJacFn(cvode, jacobian);
  CVodeSetMaxNumSteps(cvode, 100000);
  for (int m = 0; m < n && !failed; m++) {
    const double *p = parameters + (size_t)m * KETASIM_PARAMETERS;
    int at = 0;
    ketasim_rest(p, ketasim_knobs, state);
    for (int s = 0; s < KETASIM_EDGES - 1 && !failed; s++) {
      const double end = ketasim_edges[s + 1], *k = ketasim_knobs + s * KETASIM_KNOBS;
      sunrealtype t = ketasim_edges[s];
      const int last = s == KETASIM_EDGES - 2;
      for (int i = 0; i < KETASIM_STATES; i++)
        state[i] += ketasim_boluses[s * KETASIM_STATES + i];
      ketasim_prepare(p, k, ketasim_rates + s * KETASIM_STATES, c);
      CVodeReInit(cvode, t, y);
      CVodeSetStopTime(cvode, end);
      for (; at < n_times && (times[at] < end || (last && times[at] <= end)); at++) {
        if (times[at] > t) failed |= CVode(cvode, times[at], y, &t, CV_NORMAL) < 0;
        ketasim_observe(state, c, o);
        for (int q = 0; q < KETASIM_OBSERVED; q++)
          values[((size_t)m * KETASIM_OBSERVED + q) * n_times + at] = o[q];
      }
      if (t < end) failed |= CVode(cvode, end, y, &t, CV_NORMAL) < 0;
    }
  }
  CVodeFree(&cvode);
  SUNLinSolFree(solver);
  SUNMatDestroy(J);
  N_VDestroy(y);
  N_VDestroy(atol);
  SUNContext_Free(&context);
  return failed;
}
